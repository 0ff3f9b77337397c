# METADATA
# title: Who may say what
# description: |
#   The controller says everything. A delegate says what its delegation names, while it is in force. An enrolled cell says of itself what
#   `cell_signs` in data.json names: whoever enrolled it stood for that; an empty list leaves the delegations alone.
package assay.announce.signer

facts := input.facts.signer

said := input.facts.message

delegation := facts.delegation

in_force := {"active", "grace"}

controller_speaks if facts.controller in in_force

controller_speaks if pins

# Nobody is pinned, and the policy believes the first announcement.
pins if {
	facts.first_use
	data.announce.trust_on_first_use
	said.type == "ANNOUNCE"
}

delegate_speaks if {
	delegation.found
	not facts.key_revoked
	not delegation_refusal
}

cell_speaks if {
	facts.cell.state in in_force
	not facts.key_revoked
	said.type in data.announce.cell_signs
	said.cell == facts.cell.name
}

role := "controller" if {
	controller_speaks
} else := "delegate" if {
	delegate_speaks
} else := "cell" if {
	cell_speaks
}

about_delegation if said.type in {"DELEGATE", "UNDELEGATE"}

refusal := {
	"code": "controller_only",
	"message": "only the controller delegates",
	"rule": "assay.announce.signer.refusal",
} if {
	about_delegation
	facts.controller == "none"
	not facts.first_use
} else := reason if {
	not role
	reason := unheard
}

unheard := {
	"code": "signer_unknown",
	"message": "no controller is pinned, and nobody is believed at first use",
	"rule": "assay.announce.signer.refusal",
} if {
	facts.first_use
} else := {
	"code": "signer_revoked",
	"message": "the key that signed is not in force any more",
	"rule": "assay.announce.signer.refusal",
} if {
	out_of_force
} else := delegation_refusal if {
	delegation.found
} else := {
	"code": "not_of_its_cell",
	"message": "a cell may not sign this type of message, or not for another cell",
	"rule": "assay.announce.signer.refusal",
}

out_of_force if facts.key_revoked

out_of_force if not facts.controller in (in_force | {"none"})

out_of_force if {
	not delegation.found
	not facts.cell.state in (in_force | {"none"})
}

delegation_refusal := {
	"code": "delegation_revoked",
	"message": "the controller took the delegation back",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	delegation.revoked
} else := {
	"code": "delegation_not_yet_valid",
	"message": "the delegation begins later",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	input.now < delegation.not_before
} else := {
	"code": "delegation_expired",
	"message": "the delegation is over",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	input.now >= delegation.expires
} else := {
	"code": "delegation_type",
	"message": "the delegation does not name this type of message",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	not said.type in delegation.types
} else := {
	"code": "delegation_cell",
	"message": "the delegation does not name this cell",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	not delegation.every_cell
	not said.cell in delegation.cells
}
