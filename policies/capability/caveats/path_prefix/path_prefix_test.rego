package assay.capability.path_prefix_test

import data.assay.capability.given_test as given

test_it_goes_by_segments if {
	every path in ["/a", "/a/", "/a/b", "/a/b/c"] {
		given.permits("path_prefix", ["/a"], {"path": path})
		given.permits("path_prefix", ["/a/"], {"path": path})
	}
	every path in ["/", "/ab", "/b", "/b/a", "/A"] {
		given.denies("path_prefix", ["/a"], {"path": path})
	}
}

test_a_name_is_any_other_text if {
	every path in ["/a/...", "/a/..b", "/a/b..", "/a/b;c", "/a/%20", "/a/%C3%A4", "/a/é"] {
		given.permits("path_prefix", ["/a"], {"path": path})
	}
}

test_one_prefix_is_enough if {
	given.permits("path_prefix", ["/a", "/b/c"], {"path": "/b/c/d"})
	given.denies("path_prefix", ["/a", "/b/c"], {"path": "/b"})
}

test_the_root_has_everything_below_it if {
	given.permits("path_prefix", ["/"], {"path": "/"})
	given.permits("path_prefix", ["/"], {"path": "/a/b"})
}

test_a_path_that_could_lead_elsewhere_is_refused if {
	every path in [
		"", "a", "a/b", "//", "/a//b", "/a//", "/a/..", "/a/../b", "/a/./b", "/a/.", "/..", "/a/%2e%2e/b", "/a/%2E./b", "/a/.%2e/b", "/a%2fb",
		"/a/..%2Fb", "/a/..\\b", "/a\\b", "/a/%5c..", "/a/b%00", "/a/b\u0000", "/a/\n",
		"/a/%252e%252e/b", "/a/..%252fb", "/a/..;/b", "/a/.;x/b", "/a/..%c0%af", "/a/%C0%AE%c0%ae/b", "/a/b%0a", "/a/b%7F", "/a/b\u007f",
	] {
		given.denies("path_prefix", ["/", "/a"], {"path": path})
	}
}

test_so_is_a_prefix if {
	given.denies("path_prefix", ["/a/.."], {"path": "/a/b"})
	given.denies("path_prefix", ["/a/%2e%2e"], {"path": "/a/b"})
}

test_a_path_is_text_and_known if {
	given.denies("path_prefix", ["/a"], {})
	given.denies("path_prefix", ["/a"], {"path": ["/a"]})
	given.denies("path_prefix", ["/a"], {"path": null})
}

test_prefixes_are_absolute if {
	given.malformed("path_prefix", ["/a", [], [""], ["a"], ["//"], ["/a//b"], [1]])
}
