// Package corpus has the messages that a load is made of: real ones, read from
// files, or synthetic ones, whose bodies are as long as a distribution says.
//
//	mails, err := corpus.Read("/var/mail/sample", corpus.Envelope{})
//
//	sizes, err := corpus.ParseSizes("70%:2KiB,25%:20KiB,5%:1MiB")
//	mails, err := corpus.Synthetic(corpus.Spec{Headers: 12, Recipients: 1, Body: sizes})
//
// Mails are only read by who sends them, and so share memory: the bodies of
// synthetic mails are pieces of one text.
package corpus
