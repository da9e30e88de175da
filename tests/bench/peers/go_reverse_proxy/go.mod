module go_reverse_proxy

go 1.22
