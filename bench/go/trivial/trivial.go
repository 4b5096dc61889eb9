// The smallest plugin.
package main

// Number is all it has.
func Number(x uint64) uint64 { return x + 1 }

func main() {}
