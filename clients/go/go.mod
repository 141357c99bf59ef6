module github.com/tintype/tintype/clients/go

go 1.21
