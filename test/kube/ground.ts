/** What a cluster stands on: loopback and nothing else, or a name, a network and control groups of its own. */
import { entrances, makeGroup } from './cgroups.ts';
import { type AddressPlan, addressPlan, makeNetwork } from './network.ts';
import type { Place } from './processes.ts';
import { claimRun, type Run, recordData, removeRun, sweepRuns } from './runs.ts';
import { startSweeper } from './sweeper.ts';

export interface Ground {
  /** Address of the API server. */
  readonly address: string;
  readonly serviceRange: string;
  /** Addresses of simulated pods. */
  readonly simulated: string;
  /** Where the control plane's processes run. */
  readonly place: Place;
  /** Only with a network. */
  readonly network?: { readonly run: Run; readonly plan: AddressPlan };
  /** Tells where the data of the cluster lies, which goes with it. */
  record(dir: string): void;
  /** Ends every process and takes everything away. */
  remove(): Promise<void>;
}

/** Loopback: needs no root, and there can be no real nodes. */
export function loopbackGround(): Ground {
  return {
    address: '127.0.0.1',
    serviceRange: '10.96.0.0/16',
    // A range that is set aside for measurements: nobody has an address of it.
    simulated: '198.18.0.0/15',
    place: {},
    record() {},
    async remove() {},
  };
}

/** Takes a free range of addresses and makes the network; what dead owners left is removed first. */
export async function networkGround(say: (line: string) => void): Promise<Ground> {
  for (const name of await sweepRuns()) say(`removed what ${name} left, whose owner is dead`);
  const run = claimRun();
  const sweeper = startSweeper(run);
  const plan = addressPlan(run.number);
  const remove = async () => {
    await removeRun(run);
    await sweeper.close();
  };
  try {
    const group = `${run.name}/control-plane`;
    makeGroup(group);
    makeNetwork(run, plan);
    return {
      address: plan.host,
      serviceRange: plan.services,
      simulated: plan.simulated,
      place: { groups: entrances(group), diesWithUs: true },
      network: { run, plan },
      record: (dir) => recordData(run, dir),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
