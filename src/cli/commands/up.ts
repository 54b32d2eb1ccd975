/**
 * `hearsay up`: a mesh on this machine to play with, one process for each peer, watched until it is
 * stopped.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Argument, type Command } from 'commander'
import { createCanvas } from '../canvas.js'
import { PeerClient } from '../client.js'
import { CommandFailure } from '../failure.js'
import { LocalMesh, type LocalMeshListener } from '../local-mesh.js'
import { MeshView } from '../mesh-view.js'
import { checkPeerOptions } from '../peer-flags.js'
import { aborted, stopRequests } from '../stop.js'
import { JsonScreen, LiveScreen, PlainScreen, type Screen } from '../up-screens.js'
import { parseWhole } from '../values.js'
import { logLevelOption } from './start.js'

/** Peers that one `up` starts at most: each is a process of some 120 MB. */
const PEERS_MAX = 50

const HTTP_FROM = 7700

const POLL_INTERVAL_MS = 1_000

/** Within which the end of a child is known here. */
const EXIT_NOTICE_MS = 50

const EXAMPLES = `
Examples:
  $ hearsay up
  $ hearsay up 3 --mesh shop --http-from 8100
  $ hearsay up 10 --json | jq -c 'select(.event == "member:dead")'

Ctrl-C or SIGTERM makes all peers leave and end. A peer that dies otherwise is
shown as dead and not started again; when none is left, the command exits 1.`

interface UpOptions {
  readonly mesh: string
  readonly httpFrom: number
  readonly logLevel: string
  readonly json?: boolean
}

/** Adds the command to the program. */
export function registerUp(program: Command): void {
  program
    .command('up')
    .summary('run several peers on this machine, with a live table')
    .description('Run N peers on this machine, each a process, and watch them in a live table.')
    .addArgument(
      new Argument('[N]', `number of peers, 1 to ${PEERS_MAX} (default: 5)`).argParser((text) =>
        parseWhole('N', text, 1, PEERS_MAX),
      ),
    )
    .option('--mesh <name>', 'name of the mesh', 'hearsay')
    .option(
      '--http-from <port>',
      'first HTTP port; each peer takes the next that is free',
      (text) => parseWhole('--http-from', text, 1, 65_535),
      HTTP_FROM,
    )
    .addOption(logLevelOption())
    .option('--json', 'one JSON object a line')
    .addHelpText('after', EXAMPLES)
    .action((count: number | undefined, options: UpOptions) => up(count ?? 5, options))
}

async function up(count: number, options: UpOptions): Promise<void> {
  checkPeerOptions({ mesh: options.mesh })
  const stop = stopRequests()
  const view = new MeshView()
  const screen = await createScreen(view, count, options)
  // Aborted when there is nothing left to watch: told to stop, or no child runs.
  const end = new AbortController()
  stop.addEventListener('abort', () => end.abort())
  const mesh: LocalMesh = new LocalMesh(
    options,
    listenerOf(view, screen, stop, () => mesh.runningCount === 0 && end.abort()),
  )
  const names = Array.from({ length: count }, (_, index) => `peer-${index + 1}`)
  try {
    const polling = pollUntil(end.signal, view, screen)
    await Promise.race([mesh.start(names), aborted(end.signal)])
    if (!end.signal.aborted) screen.allReady()
    await polling
  } finally {
    end.abort()
    screen.stopping()
    await mesh.stop()
    screen.stopped()
  }
  if (!stop.aborted) throw new CommandFailure('NO_PEER_LEFT', 'no peer is left')
}

async function createScreen(view: MeshView, count: number, options: UpOptions): Promise<Screen> {
  if (options.json) return new JsonScreen(view)
  if (!process.stdout.isTTY) return new PlainScreen(view)
  return new LiveScreen(
    view,
    await createCanvas(),
    `mesh ${options.mesh}, ${count} peers on this machine`,
  )
}

/** Passes what the children say to the view and, as far as it is news, to the screen. */
function listenerOf(
  view: MeshView,
  screen: Screen,
  stop: AbortSignal,
  onGone: () => void,
): LocalMeshListener {
  const pids = new Map<string, number>()
  return {
    onSpawn(name, pid) {
      pids.set(name, pid)
      view.spawned(name, pid)
    },
    onReady(name, ready) {
      view.ready(name, ready)
      screen.peerReady(name, ready, pids.get(name) ?? 0)
    },
    onEvent(name, line) {
      const sighting = view.heard(name, line)
      if (sighting === undefined) return
      // Others may see a process end before this one does.
      setTimeout(() => {
        // While all of them leave, that each says so of each other is no news.
        if (!stop.aborted) screen.sighting(sighting, view.sinceExitMs(sighting))
      }, EXIT_NOTICE_MS)
    },
    onLog(name, level, message) {
      screen.log(name, level, message)
    },
    onExit(name, exit) {
      view.exited(name, exit)
      if (stop.aborted) return
      screen.exited(name, exit)
      onGone()
    },
  }
}

/** Asks all peers how they are, again and again. */
async function pollUntil(end: AbortSignal, view: MeshView, screen: Screen): Promise<void> {
  while (!end.aborted) {
    const polls = view.serving().map(async ({ name, http }) => {
      const client = new PeerClient(http, POLL_INTERVAL_MS)
      const [stats, members] = await Promise.all([client.stats(), client.members()])
      view.polled(name, stats, members)
      return members
    })
    // One that does not answer keeps its last figures; the others say what became of it.
    const answers = await Promise.allSettled(polls)
    const first = answers.find((answer) => answer.status === 'fulfilled')
    if (first !== undefined) view.ringSeen(first.value)
    screen.polled()
    await delay(POLL_INTERVAL_MS, undefined, { signal: end }).catch(() => {})
  }
}
