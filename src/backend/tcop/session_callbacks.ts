// What the traffic cop does at the ends of transactions.
import { removeTempRelations } from '../catalog/dependency.ts';
import { preCommitOnCommitActions } from '../commands/oncommit.ts';
import { discardHooks } from '../commands/variable.ts';
import { dropAllPreparedStatements } from '../commands/prepare.ts';
import { discardSequences } from '../commands/sequence.ts';
import { client } from '../transaction/client.ts';
import { registerCallback } from '../transaction/xact.ts';
import { forgetTexts } from './plancache.ts';
import { atAbort, atSubAbort, atTransactionEnd, dropAllHeldPortals, preCommitPortals } from './portal.ts';

let registered = false;

export function registerSessionCallbacks(): void {
  if (registered) return;
  registered = true;
  registerCallback({
    preCommit() {
      preCommitPortals();
      preCommitOnCommitActions();
    },
    onCommit: atTransactionEnd, onAbort: atAbort, onSubAbort: (subid) => atSubAbort(subid),
  });
  discardHooks.all.push(dropAllHeldPortals, dropAllPreparedStatements, () => client.unlockAllAdvisory());
  discardHooks.plans.push(forgetTexts);
  discardHooks.temp.push(removeTempRelations);
  discardHooks.sequences.push(() => client.forgetSequences(), discardSequences);
}

