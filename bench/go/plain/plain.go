// A program that says hello, without plugins.
package main

import "fmt"

func main() { fmt.Println("Hello, number", 7) }
