// Package tintype signs URLs for the Tintype image server, and verifies them. It needs nothing but the standard library.
//
//	key := tintype.Key{ID: "k1", Secret: secret}
//	url, err := tintype.Sign("/img/cats/tom%20cat.jpg?w=800&f=auto", key, 1800000000)
package tintype

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

const (
	version        = "tintype-v1"
	maxTargetBytes = 16384
	maxPairs       = 128
)

// Why a request is not let through: the words that the server's log has for it.
var (
	ErrMalformed  = errors.New("malformed")
	ErrMissing    = errors.New("missing")
	ErrUnknownKey = errors.New("unknown-kid")
	ErrMismatch   = errors.New("mismatch")
	ErrExpired    = errors.New("expired")
)

var (
	whole  = regexp.MustCompile(`^(https?://([^/?#]*))/`)
	keyID  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	time   = regexp.MustCompile(`^[0-9]{1,11}$`)
	method = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	path   = regexp.MustCompile(`^/[!-"$->@-~]*$`)
	query  = regexp.MustCompile(`^[!-"$-~]*$`)
	host   = regexp.MustCompile(`^[!-~]+$`)
)

// Key is a key of the server's configuration.
type Key struct {
	// ID is its kid.
	ID string
	// Secret has at least 16 bytes.
	Secret []byte
	// Host tells whether the host is signed too (signing.host); URLs are whole ones then.
	Host bool
}

// Request is what a client asked for.
type Request struct {
	// Method is GET where it is empty.
	Method string
	// URL is a path with its query, or a whole URL, percent-escaped as it was sent.
	URL string
	// Host is the host that the client named, where URL has none.
	Host string
}

// Sign gives the path and query, or whole URL, with kid, exp (unless expires is 0) and s added at the end of its query.
// The URL is percent-escaped as it will be sent; expires is in Unix seconds.
func Sign(url string, key Key, expires int64) (string, error) {
	origin, name, target := split(url)
	rawPath, rawQuery, _ := strings.Cut(target, "?")
	bare, err := read(rawPath, rawQuery)
	if err != nil {
		return "", err
	}
	if bare.s != "" || bare.kid != "" || bare.exp != 0 || !keyID.MatchString(key.ID) || len(key.Secret) < 16 {
		return "", ErrMalformed
	}
	sealed := rawQuery
	if sealed != "" && !strings.HasSuffix(sealed, "&") {
		sealed += "&"
	}
	sealed += "kid=" + key.ID
	if expires != 0 {
		sealed += "&exp=" + strconv.FormatInt(expires, 10)
	}
	parts, err := read(rawPath, sealed)
	if err != nil {
		return "", err
	}
	signature, err := key.signature("GET", name, rawPath, parts.pairs)
	if err != nil {
		return "", err
	}
	return origin + rawPath + "?" + sealed + "&s=" + base64.RawURLEncoding.EncodeToString(signature), nil
}

// Verify gives the key that signed the request and when it expires (0 for never); now is in Unix seconds. The first key
// also serves URLs without kid.
func Verify(request Request, keys []Key, now int64) (Key, int64, error) {
	_, name, target := split(request.URL)
	if name == "" {
		name = request.Host
	}
	asked := request.Method
	if asked == "" {
		asked = "GET"
	}
	rawPath, rawQuery, _ := strings.Cut(target, "?")
	parts, err := read(rawPath, rawQuery)
	if err != nil {
		return Key{}, 0, err
	}
	if !method.MatchString(asked) {
		return Key{}, 0, ErrMalformed
	}
	if parts.s == "" {
		return Key{}, 0, ErrMissing
	}
	found, err := base64.RawURLEncoding.Strict().DecodeString(parts.s)
	if err != nil || len(found) > 48 {
		return Key{}, 0, ErrMalformed
	}
	for _, key := range keys {
		if parts.kid != "" && key.ID != parts.kid {
			continue
		}
		expected, err := key.signature(asked, name, rawPath, parts.pairs)
		if err != nil {
			return Key{}, 0, err
		}
		if !hmac.Equal(expected, found) {
			return Key{}, 0, ErrMismatch
		}
		if parts.exp != 0 && now >= parts.exp {
			return Key{}, 0, ErrExpired
		}
		return key, parts.exp, nil
	}
	return Key{}, 0, ErrUnknownKey
}

type parts struct {
	s, kid string
	exp    int64
	pairs  []string
}

func split(url string) (origin, name, target string) {
	if found := whole.FindStringSubmatch(url); found != nil {
		return found[1], found[2], url[len(found[1]):]
	}
	return "", "", url
}

// read takes a query apart as far as a signature needs it; nothing is decoded.
func read(rawPath, rawQuery string) (parts, error) {
	var own parts
	if len(rawPath)+len(rawQuery) > maxTargetBytes || !path.MatchString(rawPath) || !query.MatchString(rawQuery) {
		return own, ErrMalformed
	}
	seen := map[string]bool{}
	for _, pair := range strings.Split(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(name, "%") || len(own.pairs) >= maxPairs {
			return own, ErrMalformed
		}
		switch name {
		case "s":
			own.s = value
			if value == "" {
				return own, ErrMalformed
			}
		case "kid":
			own.kid = value
			if !keyID.MatchString(value) {
				return own, ErrMalformed
			}
		case "exp":
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || !time.MatchString(value) || seconds <= 0 {
				return own, ErrMalformed
			}
			own.exp = seconds
		}
		if name == "s" || name == "kid" || name == "exp" {
			if seen[name] {
				return own, ErrMalformed
			}
			seen[name] = true
		}
		if name != "s" {
			own.pairs = append(own.pairs, pair)
		}
	}
	sort.Strings(own.pairs)
	return own, nil
}

func (key Key) signature(asked, name, rawPath string, pairs []string) ([]byte, error) {
	if asked == "HEAD" {
		asked = "GET"
	}
	bound := ""
	if key.Host {
		if !host.MatchString(name) {
			return nil, ErrMalformed
		}
		bound = strings.ToLower(name)
	}
	mac := hmac.New(sha256.New, key.Secret)
	mac.Write([]byte(strings.Join([]string{version, asked, bound, rawPath, strings.Join(pairs, "&")}, "\n")))
	return mac.Sum(nil), nil
}
