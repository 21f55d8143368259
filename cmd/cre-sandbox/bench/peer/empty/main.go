// Empty does nothing: the floor of a Go process.
package main

func main() {}
