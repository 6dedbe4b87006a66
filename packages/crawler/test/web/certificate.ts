// For localhost, made for these tests alone: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
// -subj /CN=localhost -addext subjectAltName=DNS:localhost

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUL7RiXUcUXNfmRcudsfYWzlSk/XowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE0Mzg1MloYDzIxMjYxMDI4
MTQzODUyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQZseHRJd9caVIhr5UyPaefnFt1BD/Z7h7nbeLSBdRGr1WizI9hW+Bh
stcB2pZPlaVd7Eog8n5Q6+JLioyNhSdao2kwZzAdBgNVHQ4EFgQUo0y3JFtohMpU
hTJazAR8LfTYkwswHwYDVR0jBBgwFoAUo0y3JFtohMpUhTJazAR8LfTYkwswDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAN5TffIRjJQccZ+WvwhT5FquME3Mr6GmE+cfKo01A5ukAiEArEwkxFLS
04XItKNM8DXAHfBDgh9iXes1c5YitA6W8t8=
-----END CERTIFICATE-----`

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8mgWcI883f39JWRS
NQ0SNLPxPyQ7vlTNeDd75Zj7FSChRANCAAQZseHRJd9caVIhr5UyPaefnFt1BD/Z
7h7nbeLSBdRGr1WizI9hW+BhstcB2pZPlaVd7Eog8n5Q6+JLioyNhSda
-----END PRIVATE KEY-----`
