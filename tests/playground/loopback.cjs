// Loaded ahead of the playground, which would listen on every address of the machine: it stays on this machine.
const dns = require("node:dns");
const net = require("node:net");

const HOST = "127.0.0.1";

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, callback) {
  return listen.call(this, { port, host: HOST }, callback);
};

const lookup = dns.lookup;
dns.lookup = function (name, ...rest) {
  if (name === "localhost" || net.isIP(name)) return lookup(name, ...rest);
  console.error(`refused to look up ${name}`);
  rest.at(-1)(new Error(`there is no ${name} here`));
};
