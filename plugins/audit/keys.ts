/** Where the plugin's records lie. */

/** Legal holds, one record each. */
export const HOLDS = 'hold/'
export const holdKey = (name: string): string => `${HOLDS}${name}`
