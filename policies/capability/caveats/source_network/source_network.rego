package assay.capability.caveats

# METADATA
# title: "source_network: from one of these networks"
# description: "CIDR blocks; `operation.source` is the address that the operation comes from."
holds contains ["source_network", i] if {
	some i, networks in given.source_network
	not contains(operation.source, "/") # That would be a network.
	some network in networks
	net.cidr_contains(network, operation.source)
}
