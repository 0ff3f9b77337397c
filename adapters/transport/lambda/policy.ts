/** What an authorizer answers, in the two forms that API Gateway knows. */

/** Strings, numbers and booleans only: API Gateway refuses anything else with a 500. */
export type OutputContext = Readonly<Record<string, string>>

export interface IamAnswer {
  readonly principalId: string
  readonly policyDocument: {
    readonly Version: '2012-10-17'
    readonly Statement: readonly Statement[]
  }
  readonly context: OutputContext
}
interface Statement {
  readonly Action: 'execute-api:Invoke'
  readonly Effect: 'Allow' | 'Deny'
  readonly Resource: readonly string[]
}
export interface SimpleAnswer {
  readonly isAuthorized: boolean
  readonly context: OutputContext
}
export type AuthorizerAnswer = IamAnswer | SimpleAnswer

/** API Gateway takes 8 KB for the policy. */
export const MAX_POLICY_BYTES = 8000

/** The gateway's logs show the principal: it is no person's name, but the id of the decision. */
export function iamAnswer(
  principalId: string,
  allowed: readonly string[],
  denied: readonly string[],
  context: OutputContext,
): IamAnswer {
  const statements: readonly (readonly [Statement['Effect'], readonly string[]])[] = [
    ['Allow', allowed],
    ['Deny', denied],
  ]
  return {
    principalId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: statements
        .filter(([, resources]) => resources.length > 0)
        .map(([Effect, Resource]) => ({ Action: 'execute-api:Invoke', Effect, Resource })),
    },
    context,
  }
}
