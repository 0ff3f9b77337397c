# Keys: made, read and rotated, never exportable, never deleted.
path "assay-transit/keys/+" {
  capabilities       = ["read", "update"]
  allowed_parameters = { "type" = ["ed25519", "ecdsa-p256"] }
}
path "assay-transit/keys/+/rotate" {
  capabilities = ["update"]
}
path "assay-transit/keys/+/config" {
  capabilities       = ["update"]
  allowed_parameters = { "min_encryption_version" = [], "min_decryption_version" = [] }
}
path "assay-transit/sign/+" {
  capabilities = ["update"]
}

# The states of their versions.
path "assay-kv/data/assay/+/+" {
  capabilities = ["create", "read", "update"]
}
path "assay-kv/metadata/assay/+/" {
  capabilities = ["list"]
}

# Its own token, where the role leaves out Vault's default policy.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
