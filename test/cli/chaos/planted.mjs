/**
 * Bugs for chaos to find, in the processes of a run that is told so (`HEARSAY_TEST_BUG`, with this file
 * loaded by `node --import`): nothing of them is in `src`.
 */
import { Store } from '../../../dist/core/store.js'
import { Heartbeats } from '../../../dist/services/heartbeats.js'
import { Membership } from '../../../dist/services/membership.js'
import { Reach } from '../../../dist/services/reach.js'

const apply = Store.prototype.apply

/** By name: what the store does with a write instead. */
const STORE_BUGS = {
  // Owners acknowledge deletes, and keep what was to be deleted.
  'keeps-deleted': (store, write) => (write.deleted ? 'superseded' : apply.call(store, write)),
  // Owners acknowledge values, and do not keep them for long.
  'drops-values': (store, write) =>
    apply.call(store, write.deleted ? write : { ...write, expiresAt: write.version.wallMs + 500 }),
}

const name = process.env.HEARSAY_TEST_BUG
const bug = STORE_BUGS[name]
// Members that suspect everybody for some seconds, listen to nobody, and do not speak up.
if (name === 'paranoia') {
  const isMad = () => performance.now() > 5_000 && performance.now() < 10_000
  const instead = (prototype, method, result) => {
    const sane = prototype[method]
    prototype[method] = function (...args) {
      return isMad() ? result : sane.apply(this, args)
    }
  }
  instead(Heartbeats.prototype, 'phi', 100)
  instead(Reach.prototype, 'wentUnanswered', true)
  instead(Membership.prototype, 'vindicate', undefined)
  instead(Membership.prototype, 'outrank', undefined)
} else if (bug !== undefined) {
  Store.prototype.apply = function (write) {
    return bug(this, write)
  }
}
