// What to do about a controller that systemd does not pass on to users: for error hints and `skiff doctor`.

const FILE = '/etc/systemd/system/user@.service.d/delegate.conf';

export const DELEGATE_COMMAND =
  `sudo mkdir -p ${FILE.slice(0, FILE.lastIndexOf('/'))} && ` +
  `printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee ${FILE} && sudo systemctl daemon-reload`;

export const DELEGATE = `have systemd pass it on, from the next login on: ${DELEGATE_COMMAND}`;
