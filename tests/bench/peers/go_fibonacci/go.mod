module go_fibonacci

go 1.22
