/** Why a module cannot be served, or what ended an evaluation. Its text names a place in the policy and what it did, never a value. */
export class PolicyAbort extends Error {}

/** Built-ins took more steps, or the evaluation more memory, than the policy may. */
export class BudgetExhausted extends PolicyAbort {}
