// Makes lorawan.json with lora-packet, an implementation of LoRaWAN that is not ours.
//
// In an empty folder:   npm install lora-packet@0.9.3
// then, from there:     NODE_PATH=node_modules node .../tests/vectors/generate_lora_packet.js \
//                           > .../tests/vectors/lorawan.json
//
// Every value is drawn from a hash of its name, so a second run writes the same file.
"use strict";

const crypto = require("crypto");
const lora = require("lora-packet");
const version = require("lora-packet/package.json").version;

const bytes = (name, size) => crypto.createHash("sha512").update(name).digest().subarray(0, size);
const number = (name, limit) => bytes(name, 6).readUIntBE(0, 6) % limit;
const flag = (name) => number(name, 2) === 1;
const hex = (buffer) => Buffer.from(buffer).toString("hex");
const le16 = (value) => Buffer.from([value & 0xff, value >> 8]);
const be16 = (value) => Buffer.from([value >> 8, value & 0xff]);

const DIRECTIONS = {
  "Unconfirmed Data Up": "up",
  "Confirmed Data Up": "up",
  "Unconfirmed Data Down": "down",
  "Confirmed Data Down": "down",
};

function dataFrame(name, is11, mtype, shape) {
  const up = DIRECTIONS[mtype] === "up";
  const fcnt = number(name + "fcnt", 2 ** 32);
  const msb = le16(Math.floor(fcnt / 65536));
  const devAddr = bytes(name + "addr", 4);
  const keys = {
    f_nwk_s_int_key: bytes(name + (is11 ? "F" : "nwk"), 16),
    s_nwk_s_int_key: bytes(name + (is11 ? "S" : "nwk"), 16),
    nwk_s_enc_key: bytes(name + (is11 ? "E" : "nwk"), 16),
    app_s_key: bytes(name + "app", 16),
  };
  const ack = flag(name + "ack");
  const fctrl = { ADR: flag(name + "adr"), ADRACKReq: up && flag(name + "req"), ACK: ack, FPending: flag(name + "bit4") };
  const fopts = bytes(name + "fopts", shape.fopts);
  const payload = bytes(name + "p0", 64);
  const clear = Buffer.concat([payload, bytes(name + "p1", 64), bytes(name + "p2", 64), bytes(name + "p3", 64)])
    .subarray(0, shape.payload);
  const fields = { MType: mtype, DevAddr: devAddr, FCnt: fcnt % 65536, FCtrl: fctrl, FOpts: fopts, payload: Buffer.from(clear) };
  if (shape.fport !== null) fields.FPort = shape.fport;

  const packet = lora.fromFields(fields);
  if (shape.fport !== null) {
    packet.FRMPayload = lora.decrypt(packet, keys.app_s_key, keys.nwk_s_enc_key, msb);
  }
  if (is11) packet.encryptFOpts(keys.nwk_s_enc_key, undefined, msb);
  packet._mergeGroupFields();

  // ConfFCnt counts where a frame acknowledges; lora-packet also takes it on FPort 0, the
  // specification does not, so there it is 0.
  const conf = is11 && ack && shape.fport !== 0 ? number(name + "conf", 65536) : 0;
  const txDr = is11 && up ? number(name + "dr", 16) : 0;
  const txCh = is11 && up ? number(name + "ch", 96) : 0;
  let extra;
  if (is11) extra = up ? Buffer.concat([be16(conf), Buffer.from([txDr, txCh])]) : le16(conf);
  // lora-packet names its arguments after 1.0: in 1.1 they are FNwkSIntKey and SNwkSIntKey.
  lora.recalculateMIC(packet, keys.f_nwk_s_int_key, keys.s_nwk_s_int_key, msb, extra);

  return {
    version: is11 ? "1.1" : "1.0.3",
    mtype: mtype.replaceAll(" ", ""),
    uplink: up,
    dev_addr: hex(devAddr),
    fcnt,
    adr: fctrl.ADR,
    adr_ack_req: fctrl.ADRACKReq,
    ack,
    bit_4: fctrl.FPending,
    fopts: hex(fopts),
    fport: shape.fport,
    payload: hex(clear),
    conf_fcnt: conf,
    tx_dr: txDr,
    tx_ch: txCh,
    ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, hex(value)])),
    phy_payload: hex(packet.PHYPayload),
  };
}

function dataFrames() {
  const shapes = [
    { fopts: 0, fport: null, payload: 0 },
    { fopts: 3, fport: null, payload: 0 },
    { fopts: 0, fport: 0, payload: 5 },
    { fopts: 0, fport: 1, payload: 0 },
    { fopts: 15, fport: 2, payload: 16 },
    { fopts: 1, fport: 100, payload: 17 },
    { fopts: 0, fport: 223, payload: 20 },
    { fopts: 0, fport: 255, payload: 222 },
  ];
  const made = [];
  for (const is11 of [false, true]) {
    for (const mtype of Object.keys(DIRECTIONS)) {
      shapes.forEach((shape, index) => made.push(dataFrame(`data ${is11} ${mtype} ${index}`, is11, mtype, shape)));
    }
  }
  return made;
}

function joinRequests() {
  return [0, 1, 2, 3].map((index) => {
    const name = `join-request ${index}`;
    const key = bytes(name + "key", 16);
    const fields = { MType: "Join Request", AppEUI: bytes(name + "join", 8), DevEUI: bytes(name + "dev", 8), DevNonce: bytes(name + "nonce", 2) };
    const packet = lora.fromFields(fields, null, null, key);
    return {
      key: hex(key),
      join_eui: hex(fields.AppEUI),
      dev_eui: hex(fields.DevEUI),
      dev_nonce: fields.DevNonce.readUInt16BE(0),
      phy_payload: hex(packet.PHYPayload),
    };
  });
}

function joinAccepts() {
  const made = [];
  for (const is11 of [false, true]) {
    for (const joinReqType of is11 ? [255, 0, 1, 2] : [255]) {
      for (const size of [0, 16]) {
        const name = `join-accept ${is11} ${joinReqType} ${size}`;
        const nwkKey = bytes(name + "root", 16);
        const devEui = bytes(name + "dev", 8);
        const js = lora.generateJSKeys(nwkKey, devEui);
        const settings = number(name + "settings", 128) + (is11 ? 128 : 0);
        const fields = {
          MType: "Join Accept",
          AppNonce: bytes(name + "nonce", 3),
          NetID: bytes(name + "net", 3),
          DevAddr: bytes(name + "addr", 4),
          DLSettings: settings,
          RxDelay: 1 + number(name + "delay", 15),
          CFList: bytes(name + "list", size),
          AppEUI: bytes(name + "join", 8),
          DevNonce: bytes(name + "devnonce", 2),
          JoinReqType: Buffer.from([joinReqType]),
        };
        const encryption = joinReqType === 255 ? nwkKey : js.JSEncKey;
        const clear = lora.fromFields(fields);
        lora.recalculateMIC(clear, js.JSIntKey, nwkKey);
        const clearBytes = hex(clear.PHYPayload);
        const ciphertext = lora.decryptJoin(clear, encryption);
        made.push({
          version: is11 ? "1.1" : "1.0.3",
          key: hex(nwkKey),
          dev_eui: hex(devEui),
          join_req_type: joinReqType,
          join_eui: hex(fields.AppEUI),
          dev_nonce: fields.DevNonce.readUInt16BE(0),
          join_nonce: fields.AppNonce.readUIntBE(0, 3),
          net_id: hex(fields.NetID),
          dev_addr: hex(fields.DevAddr),
          opt_neg: is11,
          rx1_dr_offset: (settings >> 4) & 7,
          rx2_data_rate: settings & 15,
          rx_delay: fields.RxDelay,
          cf_list: size ? hex(fields.CFList) : null,
          clear: clearBytes,
          phy_payload: "20" + hex(ciphertext),
        });
      }
    }
  }
  return made;
}

function rejoinRequests() {
  return [0, 1, 2].map((type) => {
    const name = `rejoin-request ${type}`;
    const key = bytes(name + "key", 16);
    const home = bytes(name + "home", type === 1 ? 8 : 3);
    const devEui = bytes(name + "dev", 8);
    const count = number(name + "count", 65536);
    const wire = Buffer.concat([
      Buffer.from([0xc0, type]), Buffer.from(home).reverse(), Buffer.from(devEui).reverse(), le16(count), Buffer.alloc(4),
    ]);
    const packet = lora.fromWire(wire);
    const mic = lora.calculateMIC(packet, key, key);
    return {
      key: hex(key),
      rejoin_type: type,
      [type === 1 ? "join_eui" : "net_id"]: hex(home),
      dev_eui: hex(devEui),
      rj_count: count,
      phy_payload: hex(Buffer.concat([wire.subarray(0, -4), mic])),
    };
  });
}

function derivations() {
  return [0, 1, 2, 3].map((index) => {
    const name = `keys ${index}`;
    const appKey = bytes(name + "app", 16);
    const nwkKey = bytes(name + "nwk", 16);
    const [joinNonce, devNonce] = [bytes(name + "join nonce", 3), bytes(name + "dev nonce", 2)];
    const [netId, joinEui, devEui] = [bytes(name + "net", 3), bytes(name + "join", 8), bytes(name + "dev", 8)];
    const of10 = lora.generateSessionKeys10(appKey, netId, joinNonce, devNonce);
    const of11 = lora.generateSessionKeys11(appKey, nwkKey, joinEui, joinNonce, devNonce);
    const js = lora.generateJSKeys(nwkKey, devEui);
    const named = (keys) => Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, hex(value)]));
    return {
      app_key: hex(appKey),
      nwk_key: hex(nwkKey),
      join_nonce: joinNonce.readUIntBE(0, 3),
      dev_nonce: devNonce.readUInt16BE(0),
      net_id: hex(netId),
      join_eui: hex(joinEui),
      dev_eui: hex(devEui),
      of_1_0: named(of10),
      of_1_1: named(of11),
      js: named(js),
    };
  });
}

const vectors = {
  source: `lora-packet ${version} (npm), by generate_lora_packet.js`,
  data_frames: dataFrames(),
  join_requests: joinRequests(),
  join_accepts: joinAccepts(),
  rejoin_requests: rejoinRequests(),
  derivations: derivations(),
};
process.stdout.write(JSON.stringify(vectors, null, 1) + "\n");
