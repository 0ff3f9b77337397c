export type {
  AuthorizerCache,
  AuthorizerOptions,
  AuthorizerRoute,
  Question,
  Router,
} from './authorizer-options.ts'
export type { LambdaContext } from './context.ts'
export type { DirectAnswer, DirectOptions } from './direct.ts'
export { type ExtensionEvent, type LambdaExtension, registerExtension } from './extension.ts'
export {
  type Asked,
  createHandler,
  type Integrated,
  InvocationError,
  type LambdaAnswer,
  type LambdaHandler,
  type LambdaOptions,
  type ScheduledAnswer,
} from './handler.ts'
export type { Identify, Lines } from './identity.ts'
export type { AuthorizerAnswer, IamAnswer, SimpleAnswer } from './policy.ts'
export type { Platform, ProxyAnswer, ProxyOptions } from './proxy.ts'
export type { RefusalCode, Told } from './refusal.ts'
