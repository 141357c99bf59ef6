//! Several binaries need it: who a caller is (tokens), and what they may do (Cedar policies). Keeps no users.
