// The smallest host.
package main

import (
	"fmt"
	"os"
	"plugin"
)

func main() {
	p, err := plugin.Open(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	number, err := p.Lookup("Number")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("Hello, number", number.(func(uint64) uint64)(7))
}
