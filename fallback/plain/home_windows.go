package plain

import "errors"

func listedHome() (string, error) { return "", errors.New("nothing else says where it is") }
