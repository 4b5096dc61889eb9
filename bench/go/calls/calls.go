// The plugin whose functions are called.
package main

import "bench/api"

// Number is the measured function.
func Number(x uint64) uint64 { return x*6364136223846793005 + 1442695040888963407 }

// Text greets.
func Text(name string) string { return "Hello, " + name }

type seven struct{ by uint64 }

func (s *seven) Count(x uint64) uint64 { return x + s.by }

// NewCounter makes one.
func NewCounter() api.Counter { return &seven{7} }

// List passes the list back.
func List(items []api.Item) []api.Item {
	if len(items) > 0 {
		items[0].ID++
	}
	return items
}

func main() {}
