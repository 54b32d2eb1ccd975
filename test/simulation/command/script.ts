/** A plan in print: as a script to read, and as a scenario to keep. */
import { type Plan, printStep, type Step, stepsOf } from '../operations.js'

/** One line a step. */
export function printScript(plan: Plan): string[] {
  return stepsOf(plan).map(printStep)
}

/** A plan as the text of a `Scenario`, to be pasted into a file of scenarios. */
export function printScenario(name: string, plan: Plan): string {
  // Those that are there from the beginning: a scenario has them by number.
  const begin: Step[] = plan.work.filter((step) => step.do === 'start')
  const steps = stepsOf(plan).filter((step) => !begin.includes(step))
  const shows = [...new Set(plan.faults.map(({ kind }) => kind))]
  const lines = [
    `name: ${print(name)},`,
    'proves: paragraph`…`,',
    `shows: ${print(shows)},`,
    `members: ${begin.length},`,
    ...(isEmpty(plan.options) ? [] : [`options: ${print(plan.options)},`]),
    ...(isEmpty(plan.network) ? [] : [`network: ${print(plan.network)},`]),
    'steps: [',
    ...steps.map((step) => `  ${print(inOrder(step))},`),
    '],',
  ]
  return ['{', ...lines.map((line) => `  ${line}`), '},'].join('\n')
}

function isEmpty(value: object | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0
}

/** When and what come first. */
function inOrder({ atMs, do: what, ...rest }: Step): object {
  return { atMs, do: what, ...rest }
}

/** Data as TypeScript writes it, on one line. */
function print(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  if (fields.length === 0) return '{}'
  const printed = fields.map(([name, field]) => `${nameOf(name)}: ${print(field)}`)
  return `{ ${printed.join(', ')} }`
}

function nameOf(field: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(field) ? field : quoted(field)
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}
