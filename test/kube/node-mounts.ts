/** The mounts of a node are its own: containerd starts in a new mount namespace, kubelet enters it, and it ends with them. */

/** Folders that the container programs write to wherever their own settings point; each node sees an empty one. */
const folders = ['/run/containerd', '/var/lib/kubelet', '/var/lib/cni', '/var/log/containers'];

/** Settings of the whole machine that kubelet demands, and changes where they differ: it reads these values instead. */
const kernel: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

const script = [
  'set -e',
  'mount --make-rshared /',
  ...folders.map((folder) => `mkdir -p ${folder}; mount -t tmpfs -o mode=0755 blt ${folder}`),
  ...Object.entries(kernel).map(([name, value]) => {
    const file = `/run/containerd/${name.replaceAll('/', '-')}`;
    return `echo ${value} > ${file}; mount --bind ${file} /proc/sys/${name}`;
  }),
  'exec "$@"',
].join('\n');

/** Words in front of containerd: it becomes the first process of the node's mounts. */
export const ownMounts = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, 'sh'];
