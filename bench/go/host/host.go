// The host of Go's package plugin. It answers the driver's questions as the programs in Rust do; see runner/src/lib.rs.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"plugin"
	"strconv"
	"strings"
	"time"

	"bench/api"
)

var (
	number  func(uint64) uint64
	text    func(string) string
	counter api.Counter
	list    func([]api.Item) []api.Item

	named *plugin.Plugin
	asked []string

	// What nobody may optimise away.
	sinkNumber uint64
	sinkText   string
	sinkList   []api.Item
	sinkFunc   func(uint64) uint64
)

func main() {
	if len(os.Args) == 4 {
		count, _ := strconv.ParseUint(os.Args[2], 10, 64)
		fmt.Println(said(answer(os.Args[1], count, os.Args[3])))
		return
	}
	out := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		parts := append(strings.SplitN(lines.Text(), "\t", 3), "", "", "")
		count, _ := strconv.ParseUint(parts[1], 10, 64)
		fmt.Fprintln(out, said(answer(parts[0], count, parts[2])))
		out.Flush()
	}
}

func said(number float64, err error) string {
	if err != nil {
		return "no\t" + strings.ReplaceAll(err.Error(), "\n", " / ")
	}
	return "ok\t" + strconv.FormatFloat(number, 'f', -1, 64)
}

func answer(what string, count uint64, argument string) (float64, error) {
	switch what {
	case "load":
		return 1, load(argument)
	case "load names":
		return 1, loadNames(count, argument)
	case "number":
		f, x := number, uint64(1)
		began := time.Now()
		for i := uint64(0); i < count; i++ {
			x = f(x)
		}
		took := since(began)
		sinkNumber = x
		return took, nil
	case "text":
		f := text
		began := time.Now()
		for i := uint64(0); i < count; i++ {
			sinkText = f("the quick brown fox")
		}
		return since(began), nil
	case "method":
		c, x := counter, uint64(1)
		began := time.Now()
		for i := uint64(0); i < count; i++ {
			x = c.Count(x)
		}
		took := since(began)
		sinkNumber = x
		return took, nil
	case "list":
		f := list
		items := make([]api.Item, 10000)
		began := time.Now()
		for i := uint64(0); i < count; i++ {
			items = f(items)
		}
		took := since(began)
		sinkList = items
		return took, nil
	case "lookup":
		began := time.Now()
		for i, next := uint64(0), 0; i < count; i++ {
			found, err := named.Lookup(asked[next])
			if err != nil {
				return 0, err
			}
			sinkFunc = found.(func(uint64) uint64)
			if next++; next == len(asked) {
				next = 0
			}
		}
		return since(began), nil
	case "open":
		began := time.Now()
		_, err := plugin.Open(argument)
		return since(began), err
	case "reopen":
		if _, err := plugin.Open(argument); err != nil {
			return 0, err
		}
		began := time.Now()
		for i := uint64(0); i < count; i++ {
			if _, err := plugin.Open(argument); err != nil {
				return 0, err
			}
		}
		return since(began), nil
	case "refuse", "refuse and say":
		began := time.Now()
		_, err := plugin.Open(argument)
		took := since(began)
		if err == nil {
			return 0, errors.New("it was not refused")
		}
		return took, nil
	case "memory":
		return memory()
	}
	return 0, errors.New("Go's package has no such thing")
}

func since(began time.Time) float64 { return float64(time.Since(began).Nanoseconds()) }

func load(path string) error {
	p, err := plugin.Open(path)
	if err != nil {
		return err
	}
	var found plugin.Symbol
	if found, err = p.Lookup("Number"); err != nil {
		return err
	}
	number = found.(func(uint64) uint64)
	if found, err = p.Lookup("Text"); err != nil {
		return err
	}
	text = found.(func(string) string)
	if found, err = p.Lookup("NewCounter"); err != nil {
		return err
	}
	counter = found.(func() api.Counter)()
	if found, err = p.Lookup("List"); err != nil {
		return err
	}
	list = found.(func([]api.Item) []api.Item)
	return nil
}

// loadNames opens a plugin; beside it lies a list of the names in the order in which they are asked for.
func loadNames(_ uint64, path string) error {
	p, err := plugin.Open(path)
	if err != nil {
		return err
	}
	bytes, err := os.ReadFile(path + ".names")
	if err != nil {
		return err
	}
	named, asked = p, strings.Split(strings.TrimSpace(string(bytes)), "\n")
	return nil
}

// memory gives the bytes that are this process's: what is anonymous, and its share of what is mapped from files.
func memory() (float64, error) {
	bytes, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, line := range strings.Split(string(bytes), "\n") {
		words := strings.Fields(line)
		if len(words) > 1 && (words[0] == "Pss_Anon:" || words[0] == "Pss_File:" || words[0] == "Pss_Shmem:") {
			kilobytes, err := strconv.ParseFloat(words[1], 64)
			if err != nil {
				return 0, err
			}
			sum += kilobytes * 1024
		}
	}
	return sum, nil
}
