package assay.lib.signing_test

import data.assay.lib.signing

purposes := {"bootstrap": ["signer.set"], "task": ["task.sign"]}

key := {
	"kid": "0011223344556677",
	"managed": true,
	"name": "task",
	"public_key": "x",
	"scope": "task",
	"version": 3,
}

code(members, purpose) := found if {
	found := signing.refusal(object.union(key, members), purpose).code with data.signing.purposes as purposes
}

may(members, purpose) if {
	not signing.refusal(object.union(key, members), purpose) with data.signing.purposes as purposes
}

test_a_key_signs_what_its_scope_is_for if {
	may({}, "task.sign")
	may({"scope": "bootstrap"}, "signer.set")
	code({}, "signer.set") == "purpose_not_allowed"
	code({"scope": "bootstrap"}, "task.sign") == "purpose_not_allowed"
	code({"scope": "witness"}, "task.sign") == "purpose_not_allowed"
}

test_a_managed_key_signs_while_its_record_says_so if {
	code({"version": 0}, "task.sign") == "signing_key_not_active"
	may({"managed": false, "version": 0}, "task.sign")
}
