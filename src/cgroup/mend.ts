// What to do about a controller that systemd does not pass on to users: for error hints and `skiff doctor`.

export const DELEGATE_FILE = '/etc/systemd/system/user@.service.d/delegate.conf';
export const DELEGATE_TEXT = '[Service]\\nDelegate=cpu cpuset io memory pids\\n';

export const DELEGATE = `have systemd pass it on, from the next login on: sudo mkdir -p ${DELEGATE_FILE.slice(0, DELEGATE_FILE.lastIndexOf('/'))} && printf '${DELEGATE_TEXT}' | sudo tee ${DELEGATE_FILE} && sudo systemctl daemon-reload`;
