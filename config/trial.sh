#!/usr/bin/env bash
# 试用：一个中心和一个部门，全部用命令建立，送出一条记录，查看回执。与正式安装相同，只是CA为开发用。
# A trial: a centre and a department set up by commands alone, one record sent, its receipts looked at.  It is what a
# real installation does, but for the development CA.
#
#   bash config/trial.sh FOLDER [PORT]     五个端口自PORT起，默认18700 / five ports from PORT on, 18700 if not given
set -euo pipefail
folder=$1 port=${2:-18700}
mkdir "$folder" && cd "$folder"
umask 077

# 1 开发用CA；各节点三对密钥、证书和存储密钥 / a development CA; for each node three pairs, certificates, a storage key
head -c 24 /dev/urandom | base64 > passphrase
export EXCHANGE_NODE_PASSPHRASE_FILE=$PWD/passphrase
exchange-node ca init ca
papers() {
  exchange-node ca issue ca --node "$1" --org "$2" --org-name "$1" --host 127.0.0.1 --keys "$1/keys"
  exchange-node key storage "$1/keys/storage.key"
  cp passphrase "$1/keys/"
}
papers centre 11370800MB28559184
papers civil-affairs 11330105002500287C

# 2 配置：先写两者相同的，再写各自的 / settings: what both have, then what each has
settings() {
  cat <<END
[node]
code = "$1"
org = "$2"
domain = "trial"
state = "state"
[keys]
sign = { key = "keys/sign.key", cert = "keys/sign.crt" }
encrypt = { key = "keys/encrypt.key", cert = "keys/encrypt.crt" }
tls = { key = "keys/tls.key", cert = "keys/tls.crt" }
storage = ["keys/storage.key"]
passphrase = "keys/passphrase"
ca = ["keys/ca.crt"]
crl = ["keys/ca.crl"]
[disk]
intake = "96MiB"
foreign = "64MiB"
reserve = "32MiB"
[api]
listen = "127.0.0.1:$5"
[admin]
listen = "127.0.0.1:$6"
[[peer]]
node = "$3"
org = "$4"
certificates = { sign = ["../$3/keys/sign.crt"], encrypt = "../$3/keys/encrypt.crt", tls = ["../$3/keys/tls.crt"] }
END
}
resource='[[resource]]
code = "regions"
specification = "region-code/1.0"'
{
  settings centre 11370800MB28559184 civil-affairs 11330105002500287C $((port)) $((port + 1))
  printf '%s\n' 'resources = ["regions"]' "$resource" '[gateway]' "listen = \"127.0.0.1:$((port + 2))\""
} > centre/node.toml
{
  settings civil-affairs 11330105002500287C centre 11370800MB28559184 $((port + 3)) $((port + 4))
  printf '%s\n' "address = \"127.0.0.1:$((port + 2))\"" "$resource" 'receivers = ["centre"]'
} > civil-affairs/node.toml

# 3 先检查，再运行，直到就绪 / look first, then run, until both are ready
for node in centre civil-affairs; do exchange-node -c $node/node.toml check; done
trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT
for node in centre civil-affairs; do exchange-node -c $node/node.toml run 2> $node/log.jsonl & done
for admin in $((port + 1)) $((port + 4)); do
  for _ in {1..60}; do (: < "/dev/tcp/127.0.0.1/$admin") 2> /dev/null && break; sleep 0.5; done
done

# 4 送一条记录，等最终回执，再看它走过的每一步 / send a record, await its final receipt, look at each of its steps
export EXCHANGE_NODE_CONFIG=$PWD/civil-affairs/node.toml
cat > regions.json <<END
{"RecordId": "r-1", "Operation": "I", "EventTime": "2026-01-01T08:00:00+08:00", "RegionCode": "110000",
 "RegionName": "北京市", "FirstRevision": "198012", "LastRevision": "201904"}
END
exchange-node send regions regions.json
for _ in {1..60}; do exchange-node queue list --json | grep -q '"done"' && break; sleep 0.5; done
exchange-node queue list
exchange-node trace "$(exchange-node queue list --json | grep -oE -m1 '[0-9a-f]{8}-[0-9a-f-]{27}' | head -n 1)"
