# METADATA
# title: States of a key
# description: |
#   From `none` a version becomes pre-active. It is activated after its successorship was published, or in an emergency; the one before it goes
#   on verifying until its grace is over, and is retired. Grace and retired lead back to active in a later verifier set, which is a rollback.
#   What was revoked stays so. `emergency` has the steps that need such a word.
package assay.signer.transition

next := {
	"active": {"grace", "revoked"},
	"grace": {"active", "retired", "revoked"},
	"none": {"pre-active"},
	"pre-active": {"active", "retired", "revoked"},
	"retired": {"active", "revoked"},
	"revoked": set(),
}

emergency := {"none": {"active"}}

may(from, to) if to in next[from]

back(from) if from in {"grace", "retired"}
