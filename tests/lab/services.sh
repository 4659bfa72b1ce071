# SPDX-License-Identifier: Apache-2.0
#
# Real servers and clients of a hospital, to be sourced after lab.sh. Every file they
# need is made in $LAB; of the machine itself they use only /tmp/.X11-unix, /run/sshd and /run/xrdp.

lab_services()
{
	lab_need storescp storescu echoscu findscu movescu dcmqrscp mllp_send nginx curl openssl \
		sshd ssh ssh-keygen Xvnc gvnccapture Xvfb xrdp xfreerdp smbd smbclient dnsmasq dig \
		chronyd snmpd snmpget ping socat
	mkdir -p "$LAB/images" "$LAB/messages" "$LAB/tls"
	"$LAB_TOOLS/make-messages.py" "$LAB/messages"
	openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Laboratory CA" \
		-keyout "$LAB/tls/ca.key" -out "$LAB/tls/ca.pem" 2>/dev/null
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/ssh-host"
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/ssh-user"
	cp "$LAB/ssh-user.pub" "$LAB/ssh-authorized"
	mkdir -p /run/sshd
}

# Prints the images' paths. COUNT MODALITY SEED
images()
{
	mkdir -p "$LAB/images/$3"
	[ -n "$(ls "$LAB/images/$3")" ] || "$LAB_TOOLS/make-images.py" "$LAB/images/$3" "$@"
	ls "$LAB/images/$3/"*.dcm
}

# HOST AE PORT [OPTION...]
dicom_storage()
{
	local host=$1 ae=$2 port=$3
	shift 3
	mkdir -p "$LAB/storage-$host-$port"
	serve "$host" storescp -aet "$ae" -od "$LAB/storage-$host-$port" "$@" "$port"
	await "$host" tcp "$port"
}

# An archive that stores, finds and moves. HOST AE PORT ["NAME = (AE, HOST, PORT)"...]
dicom_archive()
{
	local host=$1 ae=$2 port=$3 folder=$LAB/archive-$1 peer
	shift 3
	mkdir -p "$folder/$ae"
	{
		printf 'NetworkTCPPort = %s\nMaxPDUSize = 16384\nMaxAssociations = 16\n' "$port"
		printf 'HostTable BEGIN\n'
		for peer in "$@"; do
			printf '%s\n' "$peer"
		done
		printf 'HostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\n'
		printf '%s %s RW (200, 64mb) ANY\nAETable END\n' "$ae" "$folder/$ae"
	} >"$folder/archive.cfg"
	serve "$host" dcmqrscp -c "$folder/archive.cfg"
	await "$host" tcp "$port"
}

# HOST AE CALLED-AE ADDRESS PORT LEVEL KEY... : a study-root query
dicom_find()
{
	local host=$1 from=$2 to=$3 address=$4 port=$5 level=$6 key keys=()
	shift 6
	for key in "$@"; do
		keys+=(-k "$key")
	done
	try "$host" findscu -S -aet "$from" -aec "$to" "$address" "$port" \
		-k "QueryRetrieveLevel=$level" "${keys[@]}"
}

# HOST PORT [CODE] [ADDRESS]
hl7_server()
{
	serve "$1" "$LAB_TOOLS/hl7-server.py" "${4:-0.0.0.0}" "$2" "${3:-AA}"
	await "$1" tcp "$2"
}

# HOST ADDRESS PORT MESSAGE...
hl7_send()
{
	local host=$1 address=$2 port=$3 message
	shift 3
	for message in "$@"; do
		try "$host" mllp_send --loose --file "$LAB/messages/$message.hl7" --port "$port" \
			"$address"
	done
}

# Several messages over one connection, also over IPv6. HOST ADDRESS PORT MESSAGE...
hl7_feed()
{
	local host=$1 address=$2 port=$3 message files=()
	shift 3
	for message in "$@"; do
		files+=("$LAB/messages/$message.hl7")
	done
	try "$host" "$LAB_TOOLS/hl7-send.py" "$address" "$port" 0.1 "${files[@]}"
}

# A certificate for a server's names. FILE NAME...
tls_certificate()
{
	local file=$LAB/tls/$1 names
	shift
	names=$(printf ',DNS:%s' "$@")
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$file.key" \
		-out "$file.csr" 2>/dev/null
	openssl x509 -req -in "$file.csr" -days 3650 -CA "$LAB/tls/ca.pem" -CAkey "$LAB/tls/ca.key" \
		-CAcreateserial -extfile <(printf 'subjectAltName=%s\n' "${names#,}") \
		-out "$file.pem" 2>/dev/null
}

# nginx on 443 (TLS) and 8080 (clear), for all addresses of a host. HOST NAME...
web_server()
{
	local host=$1 folder=$LAB/web-$1
	mkdir -p "$folder/root"
	tls_certificate "$@"
	printf '{"resourceType":"Bundle","note":"ZZPHI^CANARY"}\n' >"$folder/root/index.html"
	cp "$folder/root/index.html" "$folder/root/patients"
	cat >"$folder/nginx.conf" <<-END
		daemon off; master_process off; worker_processes 1; pid $folder/pid;
		error_log $folder/error.log;
		events {}
		http {
		  access_log off; keepalive_timeout 2s; client_max_body_size 10m;
		  client_body_temp_path $folder/body; proxy_temp_path $folder/proxy;
		  fastcgi_temp_path $folder/fastcgi; uwsgi_temp_path $folder/uwsgi;
		  scgi_temp_path $folder/scgi;
		  server {
		    listen 0.0.0.0:443 ssl; listen [::]:443 ssl; listen 0.0.0.0:8080; listen 0.0.0.0:80;
		    ssl_certificate $LAB/tls/$host.pem; ssl_certificate_key $LAB/tls/$host.key;
		    ssl_protocols TLSv1.2 TLSv1.3;
		    root $folder/root;
		    location /upload { return 201; }
		  }
		}
	END
	serve "$host" nginx -e "$folder/error.log" -p "$folder" -c "$folder/nginx.conf"
	await "$host" tcp 443
}

# HOST NAME ADDRESS[:PORT] PATH [CURL OPTION...]; the name is not looked up
web_get()
{
	local host=$1 name=$2 address=$3 path=$4
	shift 4
	try "$host" curl -sS --http1.1 --max-time 10 --cacert "$LAB/tls/ca.pem" -o /dev/null \
		-A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' \
		--resolve "$name:443:$address" "$@" "https://$name$path"
}

# HOST [PORT]
ssh_server()
{
	serve "$1" "$(command -v sshd)" -D -e -f /dev/null -h "$LAB/ssh-host" -p "${2:-22}" \
		-o UsePAM=no -o StrictModes=no -o PermitRootLogin=yes -o PidFile=none \
		-o AuthorizedKeysFile="$LAB/ssh-authorized" -o PrintMotd=no
	await "$1" tcp "${2:-22}"
}

# HOST ADDRESS [PORT]
ssh_session()
{
	try "$1" ssh -F /dev/null -i "$LAB/ssh-user" -p "${3:-22}" -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IPQoS=none "root@$2" \
		'echo ZZPHI-CONSOLE ZZSECRET; uname -a; id'
}

# One X display per VNC server. HOST DISPLAY
vnc_server()
{
	serve "$1" Xvnc ":$2" -rfbport 5900 -SecurityTypes None -geometry 160x120 -depth 16 \
		-desktop 'ZZPHI bed 12' -nolisten local -AlwaysShared
	await "$1" tcp 5900
}

# HOST ADDRESS
vnc_session()
{
	try "$1" timeout 10 gvnccapture -q "$2:0" "$LAB/screen.png"
}

# xrdp shows its own login page: no session is ever started. HOST
rdp_server()
{
	local host=$1 folder=$LAB/rdp-$1
	mkdir -p "$folder" /run/xrdp
	tls_certificate "rdp-$host" "$host.lab.example"
	sed -e "s|^certificate=.*|certificate=$LAB/tls/rdp-$host.pem|" \
		-e "s|^key_file=.*|key_file=$LAB/tls/rdp-$host.key|" \
		-e "s|^LogFile=.*|LogFile=$folder/xrdp.log|" \
		-e "s|^EnableSyslog=.*|EnableSyslog=false|" /etc/xrdp/xrdp.ini >"$folder/xrdp.ini"
	serve "$host" xrdp --nodaemon --config "$folder/xrdp.ini"
	await "$host" tcp 3389
}

# Looks at the login page for two seconds, then the client is cut off. It needs an X display of its
# own. HOST ADDRESS DISPLAY
rdp_session()
{
	serve "$1" Xvfb ":$3" -screen 0 640x480x16 -nolisten tcp
	for _ in $(seq 100); do
		[ ! -e "/tmp/.X11-unix/X$3" ] || break
		sleep 0.05
	done
	DISPLAY=:$3 HOME=$LAB on "$1" timeout -s KILL 2 xfreerdp "/v:$2" /cert:ignore \
		/u:ZZPHIuser /p:ZZSECRET /sec:tls /size:320x240 /bpp:16 \
		>>"$LAB/$1.log" 2>&1 </dev/null || [ $? = 137 ]
}

# A share named `public` without accounts. HOST
smb_server()
{
	local host=$1 folder=$LAB/smb-$1
	mkdir -p "$folder/public" "$folder/state"
	chmod 777 "$folder/public"
	cat >"$folder/smb.conf" <<-END
		[global]
		server role = standalone server
		map to guest = Bad User
		guest account = root
		disable netbios = yes
		smb ports = 445
		lock directory = $folder/state
		state directory = $folder/state
		cache directory = $folder/state
		private dir = $folder/state
		pid directory = $folder/state
		ncalrpc dir = $folder/state/ncalrpc
		log file = $folder/log
		load printers = no
		[public]
		path = $folder/public
		guest ok = yes
		read only = no
	END
	serve "$host" smbd --foreground --no-process-group -s "$folder/smb.conf"
	await "$host" tcp 445
}

# HOST ADDRESS COMMANDS
smb_session()
{
	printf 'ZZPHI export of patients\n' >"$LAB/ZZPHI-list.csv"
	try "$1" smbclient -s /dev/null -N "//$2/public" \
		-c "lcd $LAB; put ZZPHI-list.csv; ls; get ZZPHI-list.csv $LAB/back.csv"
}

# A resolver for chu-demo.example that forwards the rest to one address, or, without one, knows the
# world itself. HOST [FORWARD]
dns_server()
{
	local rest=('--host-record=www.world.example,192.0.2.80')
	[ -z "${2:-}" ] || rest=(--server="$2")
	serve "$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv \
		--user=root --pid-file= --log-facility=- --port=53 --bind-dynamic \
		--local=/chu-demo.example/ "${rest[@]}" \
		--host-record=ehr.chu-demo.example,10.50.1.10,2001:db8:50:1::10 \
		--host-record=pacs.chu-demo.example,10.20.8.2,2001:db8:20:8::2 \
		--host-record=zzphi-bed12.chu-demo.example,10.30.1.21 \
		--mx-host=chu-demo.example,mail.chu-demo.example,10 \
		--txt-record=chu-demo.example,'v=lab ZZPHI free text'
	await "$1" udp 53
}

# HOST ADDRESS NAME [DIG OPTION...]
dns_ask()
{
	local host=$1 server=$2
	shift 2
	try "$host" dig "@$server" +tries=1 +timeout=3 "$@"
}

# HOST
ntp_server()
{
	printf 'local stratum 8\nallow all\ncmdport 0\npidfile %s\ndriftfile %s\n' \
		"$LAB/chrony-$1.pid" "$LAB/chrony-$1.drift" >"$LAB/chrony-$1.conf"
	serve "$1" chronyd -x -d -U -u root -f "$LAB/chrony-$1.conf"
	await "$1" udp 123
}

# HOST ADDRESS
ntp_ask()
{
	try "$1" timeout 20 chronyd -Q -x -U -u root -f /dev/null "pidfile $LAB/$1-ntp.pid" \
		'cmdport 0' "server $2 iburst maxsamples 1"
}

# HOST
snmp_agent()
{
	mkdir -p "$LAB/snmp-$1"
	printf 'rocommunity ZZSECRET\nsysName bms\nsysContact ZZPHI someone\n' \
		>"$LAB/snmp-$1/snmpd.conf"
	SNMP_PERSISTENT_DIR=$LAB/snmp-$1 serve "$1" snmpd -f -Lo -C -c "$LAB/snmp-$1/snmpd.conf" \
		udp:161
	await "$1" udp 161
}

# HOST ADDRESS
snmp_ask()
{
	SNMP_PERSISTENT_DIR=$LAB/snmp SNMPCONFPATH=$LAB/snmp try "$1" snmpget -v2c -c ZZSECRET -r 1 -t 2 "$2" 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.4.0
}
