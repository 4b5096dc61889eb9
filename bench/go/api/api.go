// Package api is what host and plugins share.
package api

// Item is an element of the list.
type Item struct {
	ID     uint64
	Weight float64
	Flags  uint32
}

// Counter is a thing with a method.
type Counter interface {
	Count(x uint64) uint64
}
