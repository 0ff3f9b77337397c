// Package discover stands for the one of this name, with which members of a raft cluster find each other in many clouds: this Vault is alone.
package discover

import (
	"errors"
	"log"
)

type Provider interface{}

var Providers = map[string]Provider{}

type Discover struct{}

type Option func(*Discover) error

func WithProviders(map[string]Provider) Option { return func(*Discover) error { return nil } }

func New(...Option) (*Discover, error) { return &Discover{}, nil }

func (*Discover) Addrs(string, *log.Logger) ([]string, error) {
	return nil, errors.New("discovery is left out of this Vault")
}
