/**
 * `hearsay events`: what happens at a peer, as it happens.
 */
import type { Command } from 'commander'
import { describeEvent, type EventLine } from '../events.js'
import { formatTime } from '../format.js'
import { printJson, printLine, printNote } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'
import type { ServerSentEvent } from '../sse.js'
import { stopRequests } from '../stop.js'

/** Adds the command to the program. */
export function registerEvents(program: Command): void {
  remoteCommand(program, 'events', {
    summary: 'follow what happens at a peer',
    description:
      'Follow the events of a peer until Ctrl-C: members coming and going, transfers, alerts. With --json, the first line says that nothing is missed from there on. Exits 1 when the peer goes away.',
    examples: [
      'hearsay events',
      'hearsay events --json | jq -c \'select(.event == "member:dead")\'',
    ],
  }).action(events)
}

async function events(options: RemoteOptions): Promise<void> {
  const stop = stopRequests()
  const client = clientOf(options)
  try {
    const stream = await client.events(stop)
    if (options.json) printJson({ event: 'following', url: client.url })
    else printNote(`following the peer at ${client.url}, until Ctrl-C`)
    for await (const event of stream) tell(event, options.json === true)
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

function tell({ event, data }: ServerSentEvent, json: boolean): void {
  const at = Date.now()
  const line: EventLine = { event, at, ...(JSON.parse(data) as object) }
  if (json) printJson(line)
  else printLine(`${formatTime(at)} ${describeEvent(line)}`)
}
