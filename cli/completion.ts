/** `assay completion`: scripts made from the tree of verbs, so that they cannot fall behind it. */
import type { Command, Option } from 'commander'
import type { ExitCode, Out } from './out.ts'

export async function completion(program: Command, out: Out, shell: Shell): Promise<ExitCode> {
  const script = completionScript(program, shell)
  out.answer({ shell, script }, script)
  return 0
}

export type Shell = 'bash' | 'fish' | 'zsh'

/** One line of typed words, and what may follow it. */
interface Place {
  /** Verbs that lead here, such as `policy build`. */
  readonly path: string
  readonly verbs: readonly Command[]
  readonly options: readonly Option[]
  /** Fixed words for the first argument. */
  readonly words: readonly string[]
}

export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '')
  if (shell === 'fish') return fish(places)
  return shell === 'bash' ? bash(places) : zsh(places)
}

function placesOf(command: Command, path: string): Place[] {
  const place: Place = {
    path,
    verbs: command.commands,
    options: command.options.filter(({ hidden }) => !hidden),
    words: command.registeredArguments[0]?.argChoices ?? [],
  }
  return [
    place,
    ...command.commands.flatMap((verb) => placesOf(verb, `${path} ${verb.name()}`.trim())),
  ]
}

const flags = (place: Place): string[] => place.options.map(({ long }) => long ?? '')
const offered = (place: Place): string[] => [
  ...place.verbs.map((verb) => verb.name()),
  ...place.words,
  ...flags(place),
  '--help',
]

/** Options whose value is one of a few words; for the others files are offered. */
function choices(place: Place): readonly (readonly [flag: string, words: readonly string[]])[] {
  return place.options.flatMap(({ argChoices, long }) =>
    argChoices === undefined || long === undefined ? [] : [[long, argChoices] as const],
  )
}

/** Without a word that fits, bash goes on to files: the values of most options are files. */
function bash(places: readonly Place[]): string {
  const cases = places.map((place) => `    '${place.path}') words='${offered(place).join(' ')}' ;;`)
  const values = new Map(places.flatMap(choices))
  const valued = [...values].map(([flag, words]) => `    ${flag}) words='${words.join(' ')}' ;;`)
  return `# bash completion for assay; load it with: source <(assay completion bash)
_assay() {
  local at='' next word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in
      ${verbs(places)}) at="$next" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${valued.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -o bashdefault -F _assay assay
`
}

const verbs = (places: readonly Place[]): string =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => `'${path}'`)
    .join('|')

function zsh(places: readonly Place[]): string {
  const described = (place: Place): string[] => [
    ...place.verbs.map((verb) => `${verb.name()}:${verb.description()}`),
    ...place.words,
    ...place.options.map(({ description, long }) => `${long}:${description}`),
    '--help:show help',
  ]
  const cases = places.map(
    (place) => `    '${place.path}') offered=(${described(place).map(zshQuoted).join(' ')}) ;;`,
  )
  return `#compdef assay
# zsh completion for assay; load it with: source <(assay completion zsh)
_assay() {
  local at='' next word
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in
      ${verbs(places)}) at="$next" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  _describe 'assay' offered || _files
}
compdef _assay assay
`
}

const zshQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function fish(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const here = `-n '__assay_at "${place.path}"'`
    return [
      ...place.verbs.map(
        (verb) => `-f ${here} -a ${verb.name()} -d ${fishQuoted(verb.description())}`,
      ),
      ...place.words.map((word) => `-f ${here} -a ${word}`),
      ...place.options.map((option) => `${here} ${fishOption(option)}`),
    ].map((line) => `complete -c assay ${line}`)
  })
  const paths = places.map(({ path }) => `'${path}'`).join(' ')
  return `# fish completion for assay; load it with: assay completion fish | source
function __assay_at
  set -l typed
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$typed $word")
    contains -- $next ${paths}; and set typed $next
  end
  test "$typed" = "$argv[1]"
end
${lines.join('\n')}
`
}

function fishOption({ argChoices, description, long, required }: Option): string {
  const value =
    argChoices === undefined ? (required ? ' -r' : '') : ` -x -a '${argChoices.join(' ')}'`
  return `-l ${long?.slice(2)}${value} -d ${fishQuoted(description)}`
}

const fishQuoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
