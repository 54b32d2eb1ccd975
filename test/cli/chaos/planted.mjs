/**
 * Bugs for chaos to find, in the processes of a run that is told so (`HEARSAY_TEST_BUG`, with this file
 * loaded by `node --import`): nothing of them is in `src`.
 */
import { Store } from '../../../dist/core/store.js'

const apply = Store.prototype.apply

/** By name: what the store does with a write instead. */
const BUGS = {
  // Owners acknowledge deletes, and keep what was to be deleted.
  'keeps-deleted': (store, write) => (write.deleted ? 'superseded' : apply.call(store, write)),
  // Owners acknowledge values, and do not keep them for long.
  'drops-values': (store, write) =>
    apply.call(store, write.deleted ? write : { ...write, expiresAt: write.version.wallMs + 500 }),
}

const bug = BUGS[process.env.HEARSAY_TEST_BUG]
if (bug !== undefined) {
  Store.prototype.apply = function (write) {
    return bug(this, write)
  }
}
