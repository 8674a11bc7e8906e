/**
 * Files under vscode-vfs:, as vscode.dev has those of a repository: read over HTTP from beside this extension; what is written stays in
 * the window's memory.
 */
const {EventEmitter, FileSystemError, FileType, Uri, workspace} = require('vscode');

exports.activate = ({subscriptions, extensionUri}) => {
  const written = new Map();
  const changes = new EventEmitter();
  const ask = async (kind, uri) => {
    const answer = await fetch(Uri.joinPath(extensionUri, '..', kind, uri.path).toString(true));
    if (!answer.ok) throw FileSystemError.FileNotFound(uri);
    return answer;
  };
  const files = {
    onDidChangeFile: changes.event,
    watch: () => ({dispose() {}}),
    async stat(uri) {
      const mine = written.get(uri.path);
      if (mine) return {type: FileType.File, ctime: 0, mtime: mine.time, size: mine.bytes.length};
      const {isFolder, size} = await (await ask('stat', uri)).json();
      return {type: isFolder ? FileType.Directory : FileType.File, ctime: 0, mtime: 0, size};
    },
    async readDirectory(uri) {
      const {entries} = await (await ask('stat', uri)).json();
      return entries.map(({name, isFolder}) => [name, isFolder ? FileType.Directory : FileType.File]);
    },
    async readFile(uri) {
      return written.get(uri.path)?.bytes ?? new Uint8Array(await (await ask('file', uri)).arrayBuffer());
    },
    writeFile(uri, bytes) {
      written.set(uri.path, {bytes, time: Date.now()});
    },
    createDirectory() {
      throw FileSystemError.NoPermissions();
    },
    delete() {
      throw FileSystemError.NoPermissions();
    },
    rename() {
      throw FileSystemError.NoPermissions();
    },
  };
  subscriptions.push(changes, workspace.registerFileSystemProvider('vscode-vfs', files));
};
