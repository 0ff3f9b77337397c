package assay.capability.source_network_test

import data.assay.capability.given_test as given

test_it_is_in_one_of_the_networks if {
	given.permits("source_network", ["10.0.0.0/8", "192.0.2.0/24"], {"source": "192.0.2.7"})
	given.denies("source_network", ["10.0.0.0/8", "192.0.2.0/24"], {"source": "192.0.3.7"})
	given.permits("source_network", ["2001:db8::/32"], {"source": "2001:db8::1"})
	given.denies("source_network", ["2001:db8::/32"], {"source": "2001:db9::1"})
	given.denies("source_network", ["2001:db8::/32"], {"source": "10.0.0.1"})
	given.denies("source_network", [], {"source": "10.0.0.1"})
}

test_an_address_is_one_and_known if {
	given.denies("source_network", ["0.0.0.0/0"], {})
	given.denies("source_network", ["0.0.0.0/0"], {"source": "localhost"})
	given.denies("source_network", ["0.0.0.0/0"], {"source": 1})
	given.denies("source_network", ["10.0.0.0/8"], {"source": "10.0.0.0/4"})
	given.denies("source_network", ["10.0.0.0/8"], {"source": "10.0.0.0/16"})
	given.denies("source_network", ["10.0.0.0/8"], {"source": "10.0.0.1/32"})
	given.denies("source_network", ["10.0.0.0/8"], {"source": "010.0.0.1"})
	given.denies("source_network", ["fe80::/10"], {"source": "fe80::1%eth0"})
	given.denies("source_network", ["::/0"], {"source": "10.0.0.1"})
}

test_it_is_a_list_of_networks if {
	given.malformed("source_network", ["10.0.0.0/8", ["10.0.0.0"], ["example.org/8"], [8]])
}

# Well written, and no network all the same.
test_a_network_that_is_none_holds_nobody if {
	given.denies("source_network", ["10.0.0.0/99"], {"source": "10.0.0.1"})
}
