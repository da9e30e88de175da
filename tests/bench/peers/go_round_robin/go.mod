module go_round_robin

go 1.22
