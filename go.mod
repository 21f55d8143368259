module cre-credential-helper

go 1.26
