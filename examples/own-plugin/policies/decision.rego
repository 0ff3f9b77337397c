# METADATA
# title: What may be deployed
# description: |
#   A release is deployed when a pinned key has signed its statement and its version is newer than the deployed one. Keys are pinned by
#   whoever holds the server's data folder or embeds it, and not over each other.
package assay.deployment

# METADATA
# entrypoint: true
decision := {
	"allow": true,
	"effects": effects,
	"obligations": [],
	"reasons": sort(grant),
} if {
	count(deny) == 0
	count(grant) > 0
} else := {
	"allow": false,
	"effects": [],
	"obligations": [],
	"reasons": sort(refusals),
}

statement := input.facts.statement

signer := input.facts.signer

deployed := input.facts.deployed

# What holds for the whole organisation refuses here too.
deny contains reason if some reason in data.assay.main.deny

deny contains {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.deployment.deny",
} if {
	input.facts.payload.check != "valid"
}

deny contains {
	"code": "unknown_signer",
	"message": "no key is pinned for this signer",
	"rule": "assay.deployment.deny",
} if {
	statement.check == "unknown_signer"
}

deny contains {
	"code": "signature_invalid",
	"message": "the signer's key did not sign this statement",
	"rule": "assay.deployment.deny",
} if {
	statement.check == "signature_invalid"
}

deny contains {
	"code": "malformed_statement",
	"message": "the signed statement names no artifact and version",
	"rule": "assay.deployment.deny",
} if {
	statement.check == "malformed"
}

deny contains {
	"code": "not_newer",
	"message": "this version, or a newer one, is deployed",
	"rule": "assay.deployment.deny",
} if {
	deployed.found
	statement.version <= deployed.version
}

deny contains {
	"code": "already_pinned",
	"message": "a key is pinned for this signer",
	"rule": "assay.deployment.deny",
} if {
	input.request.action == "deployment.pin"
	signer.found
}

grant contains {
	"code": "signed_release",
	"message": "a pinned key signed this newer version",
	"rule": "assay.deployment.grant",
} if {
	input.request.action == "deployment.deploy"
	statement.check == "valid"
}

grant contains {
	"code": "operator_pins",
	"message": "the operator pins a key",
	"rule": "assay.deployment.grant",
} if {
	pins
}

pins if {
	input.request.action == "deployment.pin"
	input.request.peer.kind in {"embedded", "operator"}
}

effects := [{"artifact": statement.artifact, "kind": "deployment.record", "version": statement.version}] if {
	statement.check == "valid"
}

effects := [{"key": signer.key, "kind": "deployment.pin", "signer": signer.id}] if pins

refusals := deny if {
	count(deny) > 0
} else := {{
	"code": "not_operator",
	"message": "only the operator pins keys",
	"rule": "assay.deployment.refusals",
}}
