// Package ocikms stands for the one of this name, which this Vault is built without: it is unsealed with a key share.
package ocikms

import wrapping "github.com/hashicorp/go-kms-wrapping/v2"

type Wrapper struct{ wrapping.Wrapper }

func NewWrapper() *Wrapper { panic("ocikms is left out of this Vault") }

// What the core looks up of a wrapper that is there.
const (
	KmsConfigKeyId              = "key_id"
	KmsConfigCryptoEndpoint     = "crypto_endpoint"
	KmsConfigManagementEndpoint = "management_endpoint"
)
