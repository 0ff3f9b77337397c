# METADATA
# title: Who may say what
# description: |
#   The controller says everything. A delegate says what its delegation names, while it is in force. An enrolled cell says of itself what
#   `cell_signs` in data.json names: whoever enrolled it stood for that; an empty list leaves the delegations alone. What a stolen key can say
#   concerns its own scope: a cell's its own tokens, that of a delegate of some cells theirs.
package assay.announce.signer

facts := input.facts.signer

said := input.facts.message

delegation := facts.delegation

in_force := {"active", "grace"}

controller_speaks if {
	facts.controller in in_force
	facts.scope in {"", "controller"}
}

controller_speaks if pins

# Nobody is pinned, and the policy believes the first announcement.
pins if {
	facts.first_use
	facts.scope == ""
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

# Its word on keys and tenants counts at every cell.
everywhere if controller_speaks

everywhere if {
	delegate_speaks
	delegation.every_cell
}

# The cell's own key: nobody else knows how far its revocations go.
of_its_cell if {
	facts.cell.state in in_force
	facts.cell.name == said.cell
}

about_delegation if said.type in {"DELEGATE", "UNDELEGATE"}

# Nobody hands on what was delegated.
heard if controller_speaks

heard if {
	role
	not about_delegation
}

refusal := {
	"code": "controller_only",
	"message": "only the controller delegates",
	"rule": "assay.announce.signer.refusal",
} if {
	about_delegation
	facts.controller == "none"
	not facts.first_use
} else := reason if {
	not heard
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
	"code": "delegator_revoked",
	"message": "the controller's key that delegated does not count any more",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	not delegation.by in {"active", "grace", "retired"}
} else := {
	"code": "delegate_scope",
	"message": "the key that was delegated to is enrolled for something else",
	"rule": "assay.announce.signer.delegation_refusal",
} if {
	facts.scope != ""
	not facts.scope in data.announce.delegate_scopes
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
