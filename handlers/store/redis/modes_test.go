package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// port returns a port of the loopback interface that nobody uses. A node of a cluster
// wants another one that is 10000 higher.
func port(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		n := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if n < 1<<16-10_000 {
			return strconv.Itoa(n)
		}
	}
}

// certificate writes a certificate for 127.0.0.1 and its key to two files, and returns
// them with what trusts it.
func certificate(t *testing.T) (cert, key string, trust *x509.CertPool) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust = x509.NewCertPool()
	trust.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, key, trust
}

// works counts and marks through one store and finds it through another.
func works(t *testing.T, server *server, cfg redis.Config) {
	t.Helper()
	a, log := server.share(cfg)
	b, _ := server.share(cfg)
	a.Incr(t.Context(), "user", 5, hour)
	if m, made := a.SetNX(t.Context(), "mark", 7, time.Hour); !made || m.Local {
		t.Fatalf("%+v, %v\n%s", m, made, log)
	}
	if m, ok := b.Get(t.Context(), "mark"); !ok || m.Value != 7 {
		t.Errorf("%+v, %v", m, ok)
	}
	redistest.Eventually(t, "the other store knows of the count", func() bool { return count(b, "user") == 5 })
}

func TestTLSAndUser(t *testing.T) {
	cert, key, trust := certificate(t)
	port := port(t)
	server := start(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert,
		"--tls-auth-clients", "no")
	server.do(strings.Fields("ACL SETUSER milter on >secret ~shared:* " + redis.Commands)...)
	cfg := redis.Config{
		Addresses: []string{"127.0.0.1:" + port}, TLS: &tls.Config{RootCAs: trust},
		Username: "milter", Password: "secret", Database: 3, Prefix: "shared:",
	}
	works(t, server, cfg)
	if keys := server.keys("*"); len(keys) != 0 {
		t.Errorf("keys are in database 0: %v", keys)
	}
	cfg.TLS = nil
	cfg.Timeout, cfg.Retry = 100*time.Millisecond, time.Millisecond
	_, log := server.share(cfg)
	redistest.Eventually(t, "a server that speaks TLS is not understood without", func() bool { return log.has(1, away) })
}

func TestCluster(t *testing.T) {
	port := port(t)
	server := start(t, "--port", port, "--cluster-enabled", "yes", "--bind", "127.0.0.1")
	server.do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	redistest.Eventually(t, "the cluster is whole", func() bool {
		message := server.do("CLUSTER", "INFO")
		text, err := message.ToString()
		return err == nil && strings.Contains(text, "cluster_state:ok")
	})
	works(t, server, redis.Config{Addresses: []string{"127.0.0.1:" + port}, Cluster: true})
}

// When the sentinels name another master, that is used.
func TestSentinel(t *testing.T) {
	ports := []string{port(t), port(t)}
	first, second := start(t, "--port", ports[0], "--bind", "127.0.0.1"), start(t, "--port", ports[1], "--bind", "127.0.0.1")
	own := port(t)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 %s 1\n", own, ports[0])
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := start(t, conf, "--sentinel")
	cfg := redis.Config{
		Addresses: []string{"127.0.0.1:1", "127.0.0.1:" + own}, Sentinel: "mymaster", Retry: 10 * time.Millisecond,
	}
	works(t, first, cfg)
	s, _ := first.share(cfg)
	s.Incr(t.Context(), "kept", 4, hour)
	redistest.Eventually(t, "the first master is used", func() bool { return !s.Incr(t.Context(), "kept", 0, hour).Local })
	sentinel.do("SENTINEL", "REMOVE", "mymaster")
	first.Kill()
	redistest.Eventually(t, "there is no master", func() bool { return s.Incr(t.Context(), "kept", 0, hour).Local })
	sentinel.do("SENTINEL", "MONITOR", "mymaster", "127.0.0.1", ports[1], "1")
	redistest.Eventually(t, "the second master is told", func() bool {
		count(s, "kept")
		return len(second.keys("millstream:c:*")) == 1
	})
}
