// Package awskms stands for the one of this name, which this Vault is built without: it is unsealed with a key share.
package awskms

import wrapping "github.com/hashicorp/go-kms-wrapping/v2"

type Wrapper struct{ wrapping.Wrapper }

func NewWrapper() *Wrapper { panic("awskms is left out of this Vault") }

// WithLogger is what the core gives its own wrapper; it changes nothing here.
func WithLogger(any) wrapping.Option {
	return func() interface{} {
		return wrapping.OptionFunc(func(*wrapping.Options) error { return nil })
	}
}
