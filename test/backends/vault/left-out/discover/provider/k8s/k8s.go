// Package k8s stands for the one of this name.
package k8s

type Provider struct{}
