# Make hosts out of network namespaces: `unshare --map-root-user --net --mount --uts bash -e tools/network.sh HOSTS 2`.
# Host 0 is the namespace of this script. Hosts 1, 2, ... are on a cable each to a switch, which is host 0's own
# interface. The addresses are 10.9.0.1, 10.9.0.2 and so on. HOSTS is a file that takes the place of /etc/hosts: with
# `127.0.0.1 host` in it, the name that each host has stands for its loopback interface, as on Debian. This prints a
# process of each host, which nsenter can enter, and then stays until it is killed.
hostname host && mount --bind $1 /etc/hosts
ip link set lo up && ip link add eth0 type bridge && ip addr add 10.9.0.1/24 dev eth0 && ip link set eth0 up
hosts=$$
for number in $(seq 1 $(($2 - 1))); do
  unshare --net sleep infinity &
  until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
  ip link add cable$number type veth peer name eth0 netns $!
  ip link set cable$number master eth0 up
  address="ip addr add 10.9.0.$((number + 1))/24 dev eth0"
  nsenter --target $! --net sh -c "ip link set lo up && ip link set eth0 up && $address"
  hosts="$hosts $!"
done
echo $hosts
exec sleep infinity
