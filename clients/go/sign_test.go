package tintype

import (
	"encoding/json"
	"os"
	"testing"
)

type vectors struct {
	Keys []struct {
		Kid, Secret string
		Host        bool
	}
	Sign []struct {
		Name, URL, Kid, Signed string
		Expires                *int64
	}
	NotSigned []struct{ Name, URL, Kid string } `json:"not_signed"`
	Verify    []struct {
		Name, Method, URL, Expect string
		Now                       int64
	}
}

func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var keys []Key
	named := map[string]Key{}
	for _, key := range all.Keys {
		keys = append(keys, Key{ID: key.Kid, Secret: []byte(key.Secret), Host: key.Host})
		named[key.Kid] = keys[len(keys)-1]
	}
	for _, c := range all.Sign {
		var expires int64
		if c.Expires != nil {
			expires = *c.Expires
		}
		if signed, err := Sign(c.URL, named[c.Kid], expires); err != nil || signed != c.Signed {
			t.Errorf("%s: %s, %v", c.Name, signed, err)
		}
	}
	for _, c := range all.NotSigned {
		if signed, err := Sign(c.URL, named[c.Kid], 0); err == nil {
			t.Errorf("%s: signed as %s", c.Name, signed)
		}
	}
	for _, c := range all.Verify {
		found := "ok"
		if _, _, err := Verify(Request{Method: c.Method, URL: c.URL}, keys, c.Now); err != nil {
			found = err.Error()
		}
		if found != c.Expect {
			t.Errorf("%s: %s, not %s", c.Name, found, c.Expect)
		}
	}
}
