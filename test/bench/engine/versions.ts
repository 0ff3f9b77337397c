/** What Assay's engine is compared with. Cedar and regorus for Rust, and OPA for Go, are pinned where they are built: `peers/rust`, `peers/opa`. */
export const CEDAR_WASM = '@cedar-policy/cedar-wasm@4.13.0'
export const CASBIN = 'casbin@5.51.1'
