/**
 * What an API Gateway authorizer is asked about: `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`. The path in it is the one that the
 * gateway routes by; what else an event says about the path is not looked at.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
 */
import { Refusal } from './refusal.ts'

export interface MethodArn {
  /** Up to and with the stage. */
  readonly stage: string
  /** Upper case. */
  readonly method: string
  /** Begins with a slash, as the gateway has it. */
  readonly path: string
}

const PARTS =
  /^(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:\d{12}:[a-z0-9]+\/[A-Za-z0-9$_-]+)\/([A-Z]+)(\/.*)$/s
/** In a policy they stand for any text, or begin a variable. */
const WILD = /[*?]|\$\{/

/** @throws Refusal `ambiguous_path`: a policy about this path would be about others too, or it is no such ARN */
export function readMethodArn(text: unknown): MethodArn {
  const [, stage, method, path] = (typeof text === 'string' ? PARTS.exec(text) : undefined) ?? []
  if (stage === undefined || method === undefined || path === undefined)
    throw new Refusal('ambiguous_path', 'the method ARN is none of execute-api')
  if (WILD.test(path))
    throw new Refusal('ambiguous_path', 'the path has a wildcard of IAM policies')
  return { stage, method, path }
}

export function arnOf(stage: string, method: string, path: string): string {
  return `${stage}/${method}${path}`
}
