// A classic script: modules do not load from the file system, and then nothing else would say why.
if (location.protocol === 'file:') {
  addEventListener('DOMContentLoaded', () => {
    const notice = document.querySelector('#notice');
    notice.textContent =
      'Browsers load no modules from the file system. Serve this folder instead: "npm run demo" in the project does, or any static server, such as "npx sirv-cli ." here.';
    notice.hidden = false;
  });
}
